from time import *

import requests

session = requests.Session()


def fetch():
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
