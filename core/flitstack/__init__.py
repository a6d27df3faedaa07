"""flit moves a business's records from one platform to another: every record once, verified, undoable."""

__version__ = "0.1.0"
