"""Plan to Python source."""
