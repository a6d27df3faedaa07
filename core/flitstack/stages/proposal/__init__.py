"""A map proposed for an export that no layout knows, and what is wrong in one."""
