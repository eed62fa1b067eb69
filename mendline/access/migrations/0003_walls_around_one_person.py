import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A sign-in goes with its session, whoever deletes that: here and not in Python, because nobody sees another's rows.
WITH_ITS_SESSION = """
ALTER TABLE access_signin ADD CONSTRAINT signin_of_session
    FOREIGN KEY (session_key) REFERENCES django_session (session_key) ON DELETE CASCADE
"""

# The owner of the tables is not held to policies; the application and the auditor are.
# Without `mendline.person` there are no sign-ins: 0 rows.
SIGNINS = """
ALTER TABLE access_signin ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_person ON access_signin
    USING (person_id = nullif(current_setting('mendline.person', true), '')::bigint);
"""
# Here it is an error and not an empty answer: code that forgets to say for whom, and the release before, must not take
# a person with a second factor for one without. VOLATILE, so that it is asked for rows that are there and not by the
# planner: whoever has no second factor signs in with the release before as well.
FACTORS = """
CREATE FUNCTION mendline_person() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF nullif(current_setting('mendline.person', true), '') IS NULL THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'second factors are shown for one person: set mendline.person in this transaction';
    END IF;
    RETURN current_setting('mendline.person')::bigint;
END $$;
ALTER TABLE mfa_authenticator ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_person ON mfa_authenticator USING (user_id = mendline_person());
"""
# The narrow door: which kinds there are, before it is known who asks, and no secret.
DOOR = """
CREATE FUNCTION mendline_factors(people bigint[]) RETURNS TABLE (person_id bigint, kind text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT user_id, type::text FROM mfa_authenticator WHERE user_id = ANY (people)
$$;
REVOKE ALL ON FUNCTION mendline_factors(bigint[]) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_administration"),
        ("sessions", "0001_initial"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("browser", models.CharField(blank=True, max_length=60)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("began_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.RunSQL(WITH_ITS_SESSION, migrations.RunSQL.noop),
        migrations.RunSQL(
            SIGNINS,
            "DROP POLICY of_one_person ON access_signin; ALTER TABLE access_signin DISABLE ROW LEVEL SECURITY",
        ),
        migrations.RunSQL(
            FACTORS,
            "DROP POLICY of_one_person ON mfa_authenticator; ALTER TABLE mfa_authenticator DISABLE ROW LEVEL SECURITY;"
            " DROP FUNCTION mendline_person()",
        ),
        migrations.RunSQL(DOOR, "DROP FUNCTION mendline_factors(bigint[])"),
    ]
