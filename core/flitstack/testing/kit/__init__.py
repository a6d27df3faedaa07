"""The plugin test-kit: suites that a plugin subclasses in two lines, and that `flit plugins test` runs.

Rooms: `levels` (ids and levels), `guards`, `suite` (what all suites share), `destination*` (destinations),
`source`, `transform`, `validator`, `template` (the other kinds), `port` (what a destination's author supplies),
`trial` (one account, one journal, run after run on virtual time), `running` (a run of the kit, as data).
"""
