"""What every widget stands on: style sheets, threads and the page, and small parts that look the same everywhere."""
