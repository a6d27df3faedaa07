"""Rows that cannot move: shown as their files have them, corrected by people, and driven again."""
