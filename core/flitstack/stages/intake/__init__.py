"""From an export to desired records: read, checked, decided on, mapped."""
