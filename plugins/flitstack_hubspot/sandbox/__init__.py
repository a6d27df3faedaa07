"""An imitation of a HubSpot account, for tests, the demo and development: it is not HubSpot."""
