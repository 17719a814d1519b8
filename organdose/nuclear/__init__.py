"""From activity over time to internal dose."""
