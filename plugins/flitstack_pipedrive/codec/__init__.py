"""Between the canonical form of a record and what Pipedrive's API takes and gives."""
