"""What destinations on the web have in common: each of these is needed by more than one plugin, and names none.

Rooms: `settings` (what is asked of a host and a token), `answers` (one answer), `documents` (bytes before they are
sent), `texts` (what a reader sees of HTML), `embedded` and `serving` (an account imitated in this process, or beside
it). Nothing here speaks HTTP itself: that is a plugin's own `wire`.
"""
