"""From operations to a destination: sent once, found out about when in doubt."""
