"""Django: migrate, what the ORM sends, and `migrate` with nothing to do. Usage: django_orm.py STEP URL"""
import io
import os
import sys
import types
from urllib.parse import urlparse

step, url = sys.argv[1:]
at = urlparse(url)

import django
from django.conf import settings

# an application without migrations, which `migrate --run-syncdb` makes tables for
sys.modules["shop"] = types.ModuleType("shop")
sys.modules["shop"].__path__ = [__file__]

settings.configure(
    SECRET_KEY="x",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.postgres", "shop",
    ],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": at.path[1:], "USER": at.username,
        "PASSWORD": at.password, "HOST": at.hostname, "PORT": at.port,
        # a cursor WITH HOLD cannot run as a role
        "DISABLE_SERVER_SIDE_CURSORS": "AS_ROLE" in os.environ,
    }},
)
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models, transaction

apps.get_app_config("shop").models_module = sys.modules["shop"]


class Label(models.Model):
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        app_label = "shop"


class Item(models.Model):
    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    detail = models.JSONField(default=dict)
    labels = models.ManyToManyField(Label)
    owner = models.ForeignKey(Label, null=True, related_name="owned", on_delete=models.CASCADE)

    class Meta:
        app_label = "shop"


def prepare():
    call_command("migrate", run_syncdb=True, verbosity=0)


def again():
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("showmigrations", stdout=io.StringIO())
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    call_command("inspectdb", stdout=io.StringIO())
    call_command("createcachetable", "--dry-run", stdout=io.StringIO())


def use():
    from django.contrib.auth.models import Group, User
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.backends.db import SessionStore
    from django.db.models import Count, F, Q, Sum

    ada, _ = User.objects.get_or_create(username="ada", defaults={"email": "ada@example.com"})
    User.objects.update_or_create(username="ada", defaults={"first_name": "Ada"})
    ada.set_password("x")
    ada.save(update_fields=["password"])
    ada.groups.add(Group.objects.create(name="editors"))
    session = SessionStore()
    session["k"] = 1
    session.save()
    session.flush()
    with transaction.atomic():
        item = Item.objects.create(title="one", owner=Label.objects.create(name="owner"), detail={"a": [1]})
        with transaction.atomic():
            item.labels.set([Label.objects.create(name="x"), Label.objects.create(name="y")])
        Item.objects.select_for_update().get(pk=item.pk)
    try:
        with transaction.atomic():
            Label.objects.create(name="x")
    except django.db.IntegrityError:
        pass
    Item.objects.bulk_create([Item(title=f"t{n}") for n in range(50)], batch_size=20)
    Label.objects.bulk_create([Label(name="x"), Label(name="z")], update_conflicts=True, unique_fields=["name"], update_fields=["name"])
    Label.objects.bulk_create([Label(name="x")], ignore_conflicts=True)
    some = list(Item.objects.filter(title__in=["t1", "t2"]))
    for one in some:
        one.price = 2
    Item.objects.bulk_update(some, ["price"])
    Item.objects.filter(pk=item.pk).update(price=F("price") + 1)
    list(Item.objects.filter(Q(title__icontains="o") | Q(detail__a__contains=[1])).exclude(owner=None).order_by("-id")[0:10])
    list(Item.objects.select_related("owner").prefetch_related("labels").all()[5:10])
    list(Item.objects.values("owner").annotate(n=Count("id"), total=Sum("price")).filter(n__gt=0))
    Item.objects.count(), Item.objects.exists(), Item.objects.aggregate(Sum("price"))
    list(Item.objects.iterator(chunk_size=10))
    Item.objects.filter(title="one").explain()
    ContentType.objects.get_for_model(User)
    item.labels.remove(Label.objects.get(name="y"))
    item.labels.clear()
    item.delete()
    ada.delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::int", [1])
        connection.introspection.get_table_list(cursor)
        for table in connection.introspection.table_names():
            connection.introspection.get_constraints(cursor, table)
            connection.introspection.get_sequences(cursor, table)


{"prepare": prepare, "again": again, "use": use}[step]()
