"""A sample that is migrated first, and its field-level diff."""
