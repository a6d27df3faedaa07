"""What a practice should know of its export before anything moves."""
