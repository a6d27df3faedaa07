"""The audit log outside the journal: exported, proved whole, and kept when the values go."""
