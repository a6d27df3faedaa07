"""What people approve, and what moved since they did."""
