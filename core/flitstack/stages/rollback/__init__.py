"""Rollback: take back what was written, and leave alone what people changed since."""
