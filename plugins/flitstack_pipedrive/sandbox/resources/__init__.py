"""What the API offers, one module per family of resources: handlers that turn a call into an answer."""
