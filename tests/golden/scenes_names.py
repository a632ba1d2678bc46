"""Scenes of protocols that are named only: mail, files, messages, databases, calls, screens.

Beside what the other scenes need, from Debian: dovecot-imapd dovecot-pop3d python3-aiosmtpd vsftpd mosquitto
mosquitto-clients redis-server mariadb-server postgresql sip-tester tigervnc-standalone-server samba smbclient
xrdp freerdp2-x11.
"""

from collections.abc import Callable
from pathlib import Path

from lab import CLIENT, SERVER, Lab, command
from scenes import python

SERVER4 = "192.0.2.2"

DOVECOT = """
protocols = imap pop3
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
listen = *
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{dir}/mail
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=1000 gid=1000 home={dir}/home
}}
service imap-login {{
  chroot =
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""

VSFTPD = """
listen=YES
background=NO
anonymous_enable=YES
anon_root={dir}/files
no_anon_password=YES
allow_anon_ssl=YES
ssl_enable=YES
force_anon_logins_ssl=NO
force_anon_data_ssl=NO
require_ssl_reuse=NO
rsa_cert_file={dir}/both.pem
secure_chroot_dir={dir}/empty
seccomp_sandbox=NO
"""

XRDP = """
[Globals]
ini_version=1
port=tcp://0.0.0.0:3389
security_layer=negotiate
certificate={dir}/cert.pem
key_file={dir}/key.pem
[Logging]
LogFile={dir}/xrdp.log
EnableSyslog=false
"""

SAMBA = """
[global]
server min protocol = NT1
client min protocol = NT1
map to guest = Bad User
disable spoolss = yes
load printers = no
lock directory = {dir}/smb
state directory = {dir}/smb
cache directory = {dir}/smb
pid directory = {dir}/smb
private dir = {dir}/smb
ncalrpc dir = {dir}/smb/rpc
log file = {dir}/smb.log
[files]
path = {dir}/files
guest ok = yes
"""


def certificate(folder: Path) -> tuple[str, str]:
    """A key and a certificate signed by itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9000")
    made = ("-keyout", str(key), "-out", str(cert))
    command("openssl", "req", "-x509", *curve, "-subj", "/CN=mail.example.org", *made)
    (folder / "both.pem").write_text(key.read_text() + cert.read_text())
    return str(key), str(cert)


def folders(lab: Lab, *names: str) -> None:
    """Folders that everybody may write to."""
    lab.scratch.chmod(0o755)
    for name in names:
        folder = lab.scratch / name
        folder.mkdir()
        folder.chmod(0o777)


def mail(lab: Lab, file: Path) -> None:
    """curl sends and fetches mail with STARTTLS or STLS and without: aiosmtpd and dovecot."""
    key, cert = certificate(lab.scratch)
    folders(lab, "run", "state", "mail", "home")
    lab.scratch.joinpath("dovecot.conf").write_text(DOVECOT.format(dir=lab.scratch))
    lab.scratch.joinpath("letter").write_text("Subject: hello\r\n\r\nSTARTTLS\r\nis only text here\r\n")
    handler = ("-c", "aiosmtpd.handlers.Sink")
    offers = ("--no-requiretls", "--tlscert", cert, "--tlskey", key)
    lab.start(SERVER, "aiosmtpd", "-n", "-l", "0.0.0.0:25", *offers, *handler)
    lab.start(SERVER, "dovecot", "-F", "-c", str(lab.scratch / "dovecot.conf"))
    for port in (25, 110, 143):
        lab.listening(port)
    site = [word for port in (25, 110, 143) for word in ("--resolve", f"mail.example.org:{port}:{SERVER4}")]
    curl = ("curl", "-sk", "--max-time", "8", *site)
    ends = ("--mail-from", "a@example.org", "--mail-rcpt", "b@example.org")
    letter = (*ends, "-T", str(lab.scratch / "letter"))
    fred = ("-u", "fred:secret")
    with lab.capture(file):
        for tls in (("--ssl-reqd",), ()):
            lab.run(CLIENT, *curl, *tls, "smtp://mail.example.org", *letter)
            lab.run(CLIENT, *curl, *tls, *fred, "imap://mail.example.org/INBOX", "-X", "NOOP")
            lab.run(CLIENT, *curl, *tls, *fred, "pop3://mail.example.org")


def ftp(lab: Lab, file: Path) -> None:
    """curl lists a folder of vsftpd's: with AUTH TLS and without."""
    certificate(lab.scratch)
    folders(lab, "files", "empty")
    (lab.scratch / "files").chmod(0o755)
    (lab.scratch / "empty").chmod(0o755)
    (lab.scratch / "files" / "small").write_text("hello\n")
    lab.scratch.joinpath("vsftpd.conf").write_text(VSFTPD.format(dir=lab.scratch))
    lab.start(SERVER, "vsftpd", str(lab.scratch / "vsftpd.conf"))
    lab.listening(21)
    with lab.capture(file):
        for tls in (("--ssl-reqd",), ()):
            site = ("--resolve", f"ftp.example.org:21:{SERVER4}", "ftp://ftp.example.org/small")
            lab.run(CLIENT, "curl", "-sk", "--max-time", "8", *tls, *site)


def messages(lab: Lab, file: Path) -> None:
    """MQTT 3.1.1 and 5 with mosquitto, and Redis with its own client and by hand."""
    conf = lab.scratch / "mosquitto.conf"
    conf.write_text("listener 1883 0.0.0.0\nallow_anonymous true\nuser root\n")
    lab.start(SERVER, "mosquitto", "-c", str(conf))
    lab.start(SERVER, "redis-server", "--protected-mode", "no", "--save", "", "--dir", str(lab.scratch))
    lab.listening(1883)
    lab.listening(6379)
    with lab.capture(file):
        for version in ("mqttv311", "mqttv5"):
            lab.run(CLIENT, "mosquitto_pub", "-h", SERVER4, "-V", version, "-t", "a/b", "-m", "hello")
        redis = ("redis-cli", "-h", SERVER4)
        lab.run(CLIENT, *redis, "SET", "greeting", "hello")
        lab.run(CLIENT, *redis, "GET", "greeting")
        lab.run(CLIENT, "sh", "-c", f"(printf 'PING\\r\\n'; sleep 0.3) | ncat {SERVER4} 6379")


def postgres(lab: Lab) -> None:
    """A PostgreSQL server that speaks TLS and trusts the client's network."""
    key, cert = certificate(lab.scratch)
    data = lab.scratch / "pg"
    command("install", "-d", "-o", "postgres", str(data))
    command("install", "-o", "postgres", "-m", "600", key, str(lab.scratch / "pg.key"))
    bins = max(Path("/usr/lib/postgresql").glob("*/bin"))
    user = ("runuser", "-u", "postgres", "--")
    command(*user, str(bins / "initdb"), "-D", str(data), "-A", "trust", "-N")
    with (data / "pg_hba.conf").open("a") as hba:
        hba.write("host all all 192.0.2.0/24 trust\n")
    options = {"listen_addresses": "*", "unix_socket_directories": "", "ssl": "on", "ssl_cert_file": cert}
    options["ssl_key_file"] = str(lab.scratch / "pg.key")
    words = [f"--{name}={value}" for name, value in options.items()]
    lab.start(SERVER, *user, str(bins / "postgres"), "-D", str(data), *words)
    lab.listening(5432)


def mariadb(lab: Lab) -> tuple[str, ...]:
    """A MariaDB server that speaks TLS; the words that begin a command to it from its own host."""
    data, socket = lab.scratch / "maria", f"--socket={lab.scratch}/maria.sock"
    normal = ("--user=root", "--auth-root-authentication-method=normal")
    command("mariadb-install-db", "--no-defaults", f"--datadir={data}", *normal)
    where = (f"--datadir={data}", socket, "--bind-address=0.0.0.0")
    tls = (f"--ssl-cert={lab.scratch}/cert.pem", f"--ssl-key={lab.scratch}/key.pem")
    lab.start(SERVER, "mariadbd", "--no-defaults", "--user=root", *where, *tls)
    lab.listening(3306)
    return "mariadb", "--no-defaults", socket, "-e"


def databases(lab: Lab, file: Path) -> None:
    """PostgreSQL and MariaDB, each with TLS and without, and a host that MariaDB refuses."""
    lab.scratch.chmod(0o755)
    postgres(lab)
    local = mariadb(lab)
    lab.run(SERVER, *local, "CREATE USER fred@'192.0.2.1'")
    psql = ("psql", "-XAtc", "SELECT 1", "-U", "postgres", "-h", SERVER4)
    remote = ("mariadb", "--no-defaults", "-u", "fred", "-h", SERVER4, "-e", "SELECT 1")
    with lab.capture(file):
        for mode in ("require", "disable"):
            lab.run(CLIENT, "env", f"PGSSLMODE={mode}", *psql)
        lab.run(CLIENT, *remote, "--ssl")
        lab.run(CLIENT, *remote, "--skip-ssl")
        lab.run(SERVER, *local, "DROP USER fred@'192.0.2.1'")
        lab.run(CLIENT, *remote, "--skip-ssl", check=False)


def calls(lab: Lab, file: Path) -> None:
    """A SIP call over UDP and one over TCP, with sipp at both ends."""
    sipp = ("sipp", "-nostdin", "-m", "1")
    with lab.capture(file):
        for transport in ("u1", "t1"):
            lab.start(SERVER, *sipp, "-sn", "uas", "-t", transport, "-i", SERVER4, "-p", "5060")
            lab.listening(5060)
            options = ("-t", transport, "-i", "192.0.2.1", "-p", "5060", "-d", "10")
            lab.run(CLIENT, *sipp, "-sn", "uac", *options, f"{SERVER4}:5060")
            lab.stop()


def screens(lab: Lab, file: Path) -> None:
    """Remote Desktop with TLS, freerdp to xrdp, and the greetings of VNC with Xtigervnc."""
    certificate(lab.scratch)
    xrdp = lab.scratch / "xrdp.ini"
    xrdp.write_text(XRDP.format(dir=lab.scratch))
    lab.start(SERVER, "xrdp", "--nodaemon", "--config", str(xrdp))
    lab.start(SERVER, "Xtigervnc", ":7", "-SecurityTypes", "None", "-rfbport", "5907", "-geometry", "64x64")
    lab.listening(3389)
    lab.listening(5907)
    freerdp = ("xfreerdp", f"/v:{SERVER4}", "/cert:ignore", "/u:fred", "/p:secret", "+auth-only", "/sec:tls")
    greet = f"""
        import socket
        s = socket.create_connection(("{SERVER4}", 5907))
        s.sendall(s.recv(12))
        s.recv(2)
    """
    with lab.capture(file):
        lab.run(CLIENT, "timeout", "10", "env", "DISPLAY=:7", *freerdp, check=False)
        lab.run(CLIENT, *python(greet))


def shares(lab: Lab, file: Path) -> None:
    """smbclient lists what samba shares: SMB 2 and 3 on port 445, SMB 1 on port 139."""
    folders(lab, "smb", "files")
    conf = lab.scratch / "smb.conf"
    conf.write_text(SAMBA.format(dir=lab.scratch))
    lab.start(SERVER, "smbd", "-F", "--no-process-group", "-s", str(conf))
    lab.listening(445)
    lab.listening(139)
    client = ("smbclient", "-s", str(conf), "-N", f"//{SERVER4}/files", "-c", "ls")
    with lab.capture(file):
        lab.run(CLIENT, *client)
        lab.run(CLIENT, *client, "-m", "NT1", "-p", "139", check=False)


SCENES: dict[str, Callable[[Lab, Path], None]] = {
    "mail.pcap": mail,
    "ftp.pcap": ftp,
    "messages.pcap": messages,
    "databases.pcap": databases,
    "calls.pcap": calls,
    "screens.pcap": screens,
    "shares.pcap": shares,
}
