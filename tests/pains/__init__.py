"""What users of Flask and asyncio suffer from, as tests on real servers."""
