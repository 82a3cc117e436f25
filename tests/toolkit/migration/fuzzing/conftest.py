"""The apps that are migrated have tests of their own, which run where they are copied to."""

collect_ignore = ["apps"]
