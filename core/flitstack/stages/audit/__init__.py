"""What a business should know of its export before anything moves."""
