"""A mail server that takes mail over TLS from who signs in, and prints each as a line of JSON.

Its first line tells its port and where the certificate of its authority is."""

import asyncio
import json
import os
import ssl
import sys
from email import message_from_bytes
from email.policy import default

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

FOLDER, USER, PASSWORD = sys.argv[1:4]


class Printer:
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.original_content, policy=default)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "subject": mail["subject"],
            "automatic": mail["auto-submitted"],
            "id": mail["message-id"],
            "text": mail.get_content(),
        }
        print(json.dumps(told), flush=True)
        return "250 taken by the test"


def authenticate(server, session, envelope, mechanism, data):
    is_right = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=is_right, handled=False)


async def serve():
    authority = trustme.CA()
    path = os.path.join(FOLDER, "authority.pem")
    authority.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def smtp():
        return SMTP(
            Printer(),
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )

    server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "authority": path}), flush=True)
    await server.serve_forever()


asyncio.run(serve())
