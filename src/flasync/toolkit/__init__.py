"""What walks an app through its migration and proves each step; the runtime never imports it."""
