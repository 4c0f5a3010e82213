"""What two runs read differently in the same documents."""
