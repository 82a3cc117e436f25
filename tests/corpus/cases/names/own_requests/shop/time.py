def sleep(hours):
    return hours * 3600
