"""What a later export changes, and what becomes of it where people changed the account meanwhile."""
