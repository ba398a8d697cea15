"""RDS as the drills need it: Aurora clusters whose failover takes time, says so, and leaves events."""
