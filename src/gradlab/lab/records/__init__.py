"""What runs leave behind: specs, records, their small form."""
