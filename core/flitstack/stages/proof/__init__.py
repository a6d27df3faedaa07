"""What an account holds, read back and compared with what it should hold."""
