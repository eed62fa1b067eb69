"""What the peers are told at their installation, in their own languages: settings, fields, a person who asks.

Both are spared what Mendline does not do in a request either, or does as a row: mail is off. The person may do
everything, so that no rights have to be looked up.
"""

from __future__ import annotations

USER, PASSWORD = "agent", "bench-only-9137"  # of databases that hold invented tickets, on this machine's own address
ROLE_PASSWORD = "bench"

RT_SITE = """\
Set($rtname, 'bench'); Set($Organization, 'bench.invalid');
Set($WebDomain, '127.0.0.1'); Set($WebPort, {port}); Set($WebPath, ''); Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($DatabaseType, 'Pg'); Set($DatabaseHost, '{sockets}'); Set($DatabasePort, 5432); Set($DatabaseName, '{database}');
Set($DatabaseUser, 'rt_bench'); Set($DatabasePassword, '{password}'); Set($DatabaseAdmin, 'mendline_admin');
Set($LogToSyslog, undef); Set($LogToSTDERR, 'error'); Set($Timezone, 'UTC'); Set($MailCommand, 'testfile');
1;
"""
RT_BASE = """\
use strict; use warnings;
use lib '/usr/share/request-tracker5/lib';
use RT -init;
sub sure {{ my ($ok, $said) = @_; die "$said\\n" unless $ok; }}
my $system = RT->SystemUser;
my $queue = RT::Queue->new($system);
sure($queue->Create(Name => 'service', Lifecycle => 'default'));
for my $name (qw(Phone Serial Address)) {{
    my $field = RT::CustomField->new($system);
    sure($field->Create(Name => $name, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', MaxValues => 1));
    sure($field->AddToObject($queue));
}}
my $user = RT::User->new($system);
sure($user->Create(Name => '{user}', Password => '{password}', Privileged => 1, EmailAddress => 'agent@bench.invalid'));
sure($user->PrincipalObj->GrantRight(Right => 'SuperUser', Object => RT->System));
my $scrips = RT::Scrips->new($system);
$scrips->UnLimit;
while (my $scrip = $scrips->Next) {{
    sure($scrip->SetDisabled(1)) if $scrip->ActionObj->Name =~ /Notify|Autoreply|Forward/;
}}
for my $number (0 .. {customers} - 1) {{
    my $customer = RT::User->new($system);
    sure($customer->Create(Name => "c$number\\@bench.invalid", EmailAddress => "c$number\\@bench.invalid"));
}}
"""

HELPDESK_SITE = """\
import os

SECRET_KEY = "only-for-measuring"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "helpdesk_addresses"
USE_TZ, TIME_ZONE, SITE_ID = True, "UTC", 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL, MEDIA_URL, LOGIN_URL, LOGIN_REDIRECT_URL = "/static/", "/media/", "/login/", "/dashboard/"
MEDIA_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "media")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.sites", "django.contrib.humanize", "django.contrib.staticfiles", "django.contrib.admin",
    "rest_framework", "rest_framework.authtoken", "helpdesk",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["BENCH_DATABASE"], "USER": "helpdesk_bench",
    "PASSWORD": os.environ["BENCH_PASSWORD"], "HOST": os.environ["BENCH_SOCKETS"], "PORT": "5432",
    "CONN_MAX_AGE": None,
}}
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [
    "rest_framework.authentication.TokenAuthentication", "rest_framework.authentication.SessionAuthentication",
]}
HELPDESK_TEAMS_MODE_ENABLED = False
"""
HELPDESK_ADDRESSES = """\
from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls", namespace="helpdesk"))]
"""
HELPDESK_BASE = """\
from django.contrib.auth import get_user_model
from helpdesk.models import CustomField, EmailTemplate, Queue
from rest_framework.authtoken.models import Token

Queue.objects.create(title="service", slug="service")
for place, name in enumerate(("phone", "serial", "address")):
    CustomField.objects.create(
        name=name, label=name, data_type="varchar", max_length=100, required=False, ordering=place
    )
EmailTemplate.objects.all().delete()
user = get_user_model().objects.create_superuser("{user}", "agent@bench.invalid", "{password}")
Token.objects.create(user=user, key="{token}")
"""
