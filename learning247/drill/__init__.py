"""What the platform must stand, tried out and measured: hostile webhooks, killed workers. `make drill` runs it all."""
