"""What a connector is, and what all connectors share: the HTTP client and its manners."""
