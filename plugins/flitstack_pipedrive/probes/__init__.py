"""What `flit probe` asks a Pipedrive account: one question each, answered with throwaway records."""
