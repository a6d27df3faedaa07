"""An imitation of a Pipedrive account for development and tests: no network, no account, the same strictness."""

from flitstack_pipedrive.sandbox.serving import serve_in_thread

__all__ = ["serve_in_thread"]
