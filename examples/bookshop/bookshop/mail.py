"""Mails to customers."""

import logging
import smtplib
from email.message import EmailMessage

from flask import current_app, render_template

log = logging.getLogger(__name__)


def send_mail(to, subject, template, **context):
    """Render a template and send it. A mail that cannot be sent is logged, the caller goes on."""
    message = EmailMessage()
    message["From"] = current_app.config["MAIL_SENDER"]
    message["To"] = to
    message["Subject"] = subject
    message.set_content(render_template(f"mail/{template}.txt", **context))

    if not current_app.config["MAIL_SERVER"]:
        log.info("No mail server. To %s: %s", to, subject)
        return False
    try:
        deliver(message)
    except (OSError, smtplib.SMTPException) as error:
        log.error("Mail to %s was not sent: %s", to, error)
        return False
    return True


def deliver(message):
    config = current_app.config
    with smtplib.SMTP(config["MAIL_SERVER"], config["MAIL_PORT"], timeout=10) as smtp:
        if config["MAIL_USE_TLS"]:
            smtp.starttls()
        if config["MAIL_USERNAME"]:
            smtp.login(config["MAIL_USERNAME"], config["MAIL_PASSWORD"])
        smtp.send_message(message)
