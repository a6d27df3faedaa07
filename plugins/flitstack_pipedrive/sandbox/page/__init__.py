"""The sandbox's page: the account as a practice would look at it, in a browser on this machine."""

from flitstack_pipedrive.sandbox.page.serve import Page

__all__ = ["Page"]
