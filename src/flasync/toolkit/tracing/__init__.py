"""What one request does, step by step: `flasync trace`.

The app runs in this process, on a loop of its own, without a server. Three sources tell what
happens: the runtime's instruments (`request_watch`), the functions that the app has registered
(`registered`), and a profile function for the view's own code (`view_profile`). What they tell
becomes a `Trace`.
"""
