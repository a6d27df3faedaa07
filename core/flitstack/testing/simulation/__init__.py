"""Proof by simulation: whole migrations on virtual time, in which one seed decides what the account, the network and the
process do, and an oracle that knows nothing of the engine says whether anything was lost, doubled or wrongly linked."""
