"""People, their roles, and the tokens of machines."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from mendline.access.actors import Actor


class Role(models.TextChoices):
    """Roles of the catalogue, part III (b); each with its Chinese name first."""

    CC_AGENT = "cc_agent", "CC座席"
    REGION_INTERFACE = "region_interface", "大区接口人"
    REGION_CHANNEL_SPECIALIST = "region_channel_specialist", "大区渠道专员"
    STATION_COORDINATOR = "station_coordinator", "维修站协调员"
    STATION_ENGINEER = "station_engineer", "维修站工程师"
    HQ_INTERFACE = "hq_interface", "本部接口人"
    SERVICE_SUPPORT_DEPT = "service_support_dept", "客户服务支持部"
    INFO_SUPPORT_DEPT = "info_support_dept", "客户信息支持部"
    CHANNEL_MANAGEMENT = "channel_management", "渠道管理支持处"
    PROCESS_OWNER = "process_owner", "流程负责人"
    ADMIN = "admin", "系统管理员"


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, username: str, password: str | None = None, **fields: object) -> Person:
        person = self.model(username=username, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, username: str, password: str | None = None, **fields: object) -> Person:
        return self.create_user(username, password, role=Role.ADMIN, is_staff=True, is_superuser=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. One person, one role; STN-16: each with an identity of their own.

    `region` and `station_no` are codes, not foreign keys: the network lies above this package.
    """

    username = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=40)
    role = models.CharField(max_length=40, choices=Role.choices)
    region = models.CharField(max_length=20, blank=True)
    station_no = models.CharField(max_length=12, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=8, blank=True)  # empty: what the browser asks for
    theme = models.CharField(max_length=8, blank=True)  # light | dark; empty: as the machine is set
    zone = models.CharField(max_length=40, blank=True)  # how moments are shown; empty: Asia/Shanghai
    notice_choices = models.JSONField(default=dict, blank=True)  # see `access.choices`
    quiet_from = models.TimeField(null=True, blank=True)  # no e-mail from here, on the clock of `zone`
    quiet_until = models.TimeField(null=True, blank=True)
    digest_at = models.TimeField(null=True, blank=True)  # one e-mail a day instead of one for each notice
    digest_sent_on = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    notices_seen_id = models.BigIntegerField(default=0)  # the newest notice this person has looked at

    objects = PersonManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name", "role"]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["role", "station_no"], name="person_by_station"),
            models.Index(fields=["role", "region"], name="person_by_region"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.username})"

    def as_actor(self, via: str = "console") -> Actor:
        return Actor(self.pk, self.name, self.role, self.region, self.station_no, via)


class Token(models.Model):
    """A machine's key to the API. Only the SHA-256 of the secret is stored."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)  # "read", "write"
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the nearest few minutes, see `tokens.note_use`

    def __str__(self) -> str:
        return f"{self.name} ({self.person.username})"


class SignIn(models.Model):
    """A session of somebody and where it is used from. Goes with its session; the database shows it to its person only.

    The migration adds what Django's models cannot say: the foreign key to the session, and the policy.
    """

    session_key = models.CharField(max_length=40, primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    browser = models.CharField(max_length=60, blank=True)  # in words, such as `Chrome · Windows`
    address = models.CharField(max_length=45, blank=True)  # without its last part
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # when its person last did something, to the minute

    def __str__(self) -> str:
        return f"{self.browser} {self.address}"
