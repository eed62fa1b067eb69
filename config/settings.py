"""Django settings. Everything that differs between installations comes from the environment (`config/env.py`).

MENDLINE_MODE=local (the default) is one machine for one person: loopback addresses only, a generated secret, the
embedded database, mail into a folder. MENDLINE_MODE=production has no defaults for secrets, hosts or the database.
"""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.env import SettingError, env_flag, env_list, env_number, env_secret, env_some_of, env_text, has_env
from config.home import ROOT, local_secret, state_folder
from mendline.access.actors import EVERYWHERE, OF_A_REGION, OF_A_STATION
from mendline.database.address import django_database
from mendline.kernel.scanning import Scanning, scanner_at

BASE_DIR = ROOT
HOME = state_folder()

# --- what kind of installation ---------------------------------------------------------------------------------

MODE = env_text("MENDLINE_MODE", "local")
if MODE not in ("local", "production"):
    raise SettingError(
        f"MENDLINE_MODE 只能是 local 或 production，现在是 {MODE!r}。 MENDLINE_MODE must be local or production."
    )
LOCAL = MODE == "local"
DEBUG = env_flag("DEBUG", False)
if DEBUG and not LOCAL:
    raise SettingError(
        "生产环境不能打开 DEBUG。 DEBUG shows secrets to visitors: unset it when MENDLINE_MODE=production."
    )

SECRET_KEY = env_secret("SECRET_KEY") if has_env("SECRET_KEY") or not LOCAL else local_secret(HOME)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = [
    *(["localhost", "127.0.0.1", "[::1]"] if LOCAL else []),
    *([env_text("MENDLINE_HOSTS")] if not LOCAL and not env_list("MENDLINE_HOSTS") else env_list("MENDLINE_HOSTS")),
]
CSRF_TRUSTED_ORIGINS = env_list("MENDLINE_TRUSTED_ORIGINS")

# --- what is installed -----------------------------------------------------------------------------------------

# Lowest first, as in the import contract.
PACKAGES = (
    "journal", "access", "process", "customers", "network", "orders", "dispatch", "parts", "search", "care", "figures",
    "contact", "channels", "web", "sim",
)  # fmt: skip

INSTALLED_APPS = [
    *(f"mendline.{name}" for name in PACKAGES),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "unfold.apps.BasicAppConfig",  # the look of the administration; its own pages are not used
    "django_htmx",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "mendline.web.in_clear.InClear",
    "django.middleware.security.SecurityMiddleware",
    "mendline.web.key_use.KeyUse",
    "mendline.web.refusals.Refusals",
    "mendline.web.api.straight.StraightToApi",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mendline.web.personal.PersonalSettings",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mendline.web.signed_in.SignedIn",
    "mendline.web.second_factor_due.SecondFactorDue",
    "mendline.web.account_rows.AccountRows",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a lock-out into the answer
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- database and jobs -----------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {"default": django_database(HOME, production=not LOCAL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- who may come in -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "access.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses whoever is locked out before a password is looked at
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "mendline.access.house_words.NotOfHouseWords"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

# People are made by an administrator; they log in with a name that the organisation gives them.
ACCOUNT_ADAPTER = "mendline.web.console.accounts.NoSignUp"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_FORMS = {"reset_password": "mendline.web.console.forgotten_password.AskForPassword"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
# A call centre starts its shift behind one address, so good sign-ins are not counted by address. Guesses are: by name
# and address in the database (axes, for all processes), and by address alone against one word tried on every name.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]  # pages for security keys would have to be drawn first
MFA_ADAPTER = "mendline.web.console.factor_secrets.SealedSecrets"
MFA_FORMS = {
    "authenticate": "mendline.web.console.second_factor.AuthenticateForm",
    "reauthenticate": "mendline.web.console.second_factor.ReauthenticateForm",
}
MFA_TOTP_ISSUER = "Mendline 统修"
# Who may not go on with a password alone: whoever changes rights, procedures or the network, and whoever judges for a
# region. On one's own machine nobody, so that the logins of the demo open in one step.
SECOND_FACTOR_ROLES = env_some_of(
    "SECOND_FACTOR_ROLES",
    EVERYWHERE | OF_A_REGION | OF_A_STATION,
    () if LOCAL else ("admin", "process_owner", "hq_interface", "channel_management", *sorted(OF_A_REGION)),
)

# Behind a proxy every request comes from the proxy: without this one stranger's guesses would lock everybody out.
BEHIND_PROXY = env_flag("BEHIND_TLS_PROXY", False)
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
AXES_CLIENT_IP_CALLABLE = "mendline.web.console.accounts.address_of"
AXES_FAILURE_LIMIT = env_number("LOGIN_FAILURE_LIMIT", 10, minimum=1)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "mendline.web.console.accounts.name_tried"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "account/lockout.html"

SESSION_COOKIE_AGE = 12 * 60 * 60
# 0: only the twelve hours end a sign-in.
SESSION_IDLE_MINUTES = env_number("SESSION_IDLE_MINUTES", 0 if LOCAL else 60, maximum=12 * 60)
# With this prefix a browser takes the cookie over TLS only, from this very host, for all of it: no other host under the
# same domain can plant one. On one's own machine there is no TLS.
COOKIE_PREFIX = "" if LOCAL else "__Host-"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"

SECURE_SSL_REDIRECT = not LOCAL and env_flag("SECURE_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 0 if LOCAL else env_number("SECURE_HSTS_SECONDS", 365 * 24 * 60 * 60)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not LOCAL and env_flag("SECURE_HSTS_SUBDOMAINS", True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Where open pages listen for changes (`mendline live`): a path behind a proxy, or an address of its own. Without one
# they ask every ten seconds.
LIVE_ADDRESS = env_text("MENDLINE_LIVE_ADDRESS", "")

# Nothing inline and nothing from elsewhere; `data:` and `blob:` are pictures that the page itself made.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF, *([LIVE_ADDRESS] if LIVE_ADDRESS.startswith("http") else [])],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language, time, files, mail -------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
MEDIA_ROOT = HOME / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_AUTOREFRESH = DEBUG

# Heads of the sealed history, outside of the database; and who gets the newest once a day by mail.
SEALS_FOLDER = Path(env_text("MENDLINE_SEALS", str(HOME / "seals")))
SEALS_MAIL = env_text("MENDLINE_SEALS_MAIL", "")

DEFAULT_FROM_EMAIL = SERVER_EMAIL = env_text("MAIL_FROM", "Mendline <mendline@localhost>")
if has_env("SMTP_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = env_text("SMTP_HOST")
    EMAIL_PORT = env_number("SMTP_PORT", 587, minimum=1, maximum=65535)
    EMAIL_HOST_USER = env_text("SMTP_USER", "")
    EMAIL_HOST_PASSWORD = env_secret("SMTP_PASSWORD") if has_env("SMTP_PASSWORD") else ""
    EMAIL_USE_TLS = env_flag("SMTP_STARTTLS", True)
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = HOME / "mail"

# A virus scanner that every upload is shown to before it is kept; without one, nothing is scanned.
CLAMD = env_text("CLAMD", "")
CLAMD_WHEN_AWAY = env_text("CLAMD_WHEN_AWAY", "refuse")
if CLAMD_WHEN_AWAY not in ("refuse", "accept"):
    raise SettingError("CLAMD_WHEN_AWAY 只能是 refuse 或 accept。 CLAMD_WHEN_AWAY must be refuse or accept.")
try:
    SCANNING = Scanning(scanner_at(CLAMD), "accept" if CLAMD_WHEN_AWAY == "accept" else "refuse") if CLAMD else None
except ValueError:
    raise SettingError(
        f"设置 CLAMD 应为本机的套接字文件或 127.0.0.1:3310，现在是 {CLAMD!r}。"
        f" CLAMD must be a socket file or a loopback address such as 127.0.0.1:3310, not {CLAMD!r}."
    ) from None

# Where webhooks may lead. Both are for development and closed networks; see `channels/webhook/guard.py`.
WEBHOOK_ALLOW_HTTP = env_flag("MENDLINE_WEBHOOK_ALLOW_HTTP", False)
WEBHOOK_ALLOW_PRIVATE = env_flag("MENDLINE_WEBHOOK_ALLOW_PRIVATE", False)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.log_lines.MaskedLines", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_text("LOG_LEVEL", "WARNING")},
}

# --- procedures ------------------------------------------------------------------------------------------------

PROCESS_FOLDER = ROOT / "processes"
