"""Mails over SMTP."""

import smtplib
from email.message import EmailMessage

from flask import Flask

app = Flask(__name__)


def send(message):
    with smtplib.SMTP("127.0.0.1", 8798, timeout=1) as smtp:  # blocks: smtplib.SMTP
        smtp.starttls()  # blocks: smtplib.SMTP.starttls
        smtp.send_message(message)  # blocks: smtplib.SMTP.send_message


@app.get("/")
def index():
    message = EmailMessage()
    message["To"] = "ada@example.com"
    message.set_content("Hello")
    send(message)
    return "sent"
