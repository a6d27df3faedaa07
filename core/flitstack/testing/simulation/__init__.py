"""Proof by simulation: whole migrations on virtual time, whose data, faults and deaths one seed decides.

An oracle that knows nothing of the engine says whether anything was lost, doubled or wrongly linked.
"""
