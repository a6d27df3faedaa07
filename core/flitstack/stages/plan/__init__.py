"""What a load would write and what it takes, before any of it is written."""
