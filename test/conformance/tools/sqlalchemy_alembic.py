"""SQLAlchemy and Alembic, over psycopg 3, psycopg 2 and asyncpg. Usage: sqlalchemy_alembic.py STEP URL"""
import asyncio
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO

from alembic import command
from alembic.config import Config
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, ENUM, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

step, url = sys.argv[1:]
drivers = ["psycopg", "psycopg2"]
at = lambda driver: url.replace("postgresql://", f"postgresql+{driver}://")


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    mood: Mapped[str] = mapped_column(ENUM("sad", "happy", name="mood"), default="happy")
    tags: Mapped[list] = mapped_column(ARRAY(sa.Text), default=list)
    detail: Mapped[dict] = mapped_column(JSONB, default=dict)
    visits: Mapped[int] = mapped_column(default=0)
    posts = relationship("Post", back_populates="member", cascade="all, delete-orphan")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    member = relationship("Member", back_populates="posts")


ENV = """
from alembic import context
import sqlalchemy as sa
engine = sa.create_engine(context.config.get_main_option('sqlalchemy.url'))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=context.config.attributes['metadata'])
    with context.begin_transaction():
        context.run_migrations()
"""
FIRST = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = 'a1', None
def upgrade():
    op.create_table('audit', sa.Column('id', sa.Integer, primary_key=True), sa.Column('what', sa.Text))
    op.create_index('audit_what', 'audit', ['what'])
def downgrade():
    op.drop_table('audit')
"""


def alembic(driver, *names):
    folder = tempfile.mkdtemp()
    os.makedirs(f"{folder}/versions")
    for name, text in {"env.py": ENV, "versions/a1.py": FIRST}.items():
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", folder)
    config.set_main_option("sqlalchemy.url", at(driver).replace("%", "%%"))
    config.attributes["metadata"] = Base.metadata
    for name in names:
        {"upgrade": lambda: command.upgrade(config, "head"), "current": lambda: command.current(config),
         "history": lambda: command.history(config), "stamp": lambda: command.stamp(config, "head"),
         "check": lambda: check(config)}[name]()
    shutil.rmtree(folder)


def check(config):
    with redirect_stdout(StringIO()):
        try:
            command.check(config)
        except Exception as difference:
            # the table of the first migration is in no model
            assert "New upgrade operations detected" in str(difference), difference


def prepare():
    alembic("psycopg", "upgrade")
    Base.metadata.create_all(sa.create_engine(at("psycopg")))


def again():
    for driver in drivers:
        alembic(driver, "upgrade", "current", "history", "check", "stamp")
        engine = sa.create_engine(at(driver))
        Base.metadata.create_all(engine)
        reflected = sa.MetaData()
        reflected.reflect(engine, views=True)
        inspector = sa.inspect(engine)
        inspector.get_schema_names(), inspector.get_multi_columns(), inspector.get_enums(), inspector.get_view_names()
        engine.dispose()

    async def over_asyncpg():
        engine = create_async_engine(at("asyncpg"))
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            await connection.run_sync(lambda plain: sa.MetaData().reflect(plain))
        await engine.dispose()

    asyncio.run(over_asyncpg())


def use():
    for driver in drivers:
        engine = sa.create_engine(at(driver), pool_pre_ping=True)
        with Session(engine) as session:
            ada = Member(email=f"ada@{driver}", tags=["x"], detail={"a": 1}, posts=[Post(title="one"), Post(title="two")])
            session.add(ada)
            session.add_all(Member(email=f"{n}@{driver}") for n in range(40))
            session.commit()
            with session.begin_nested():
                ada.visits += 1
            session.commit()
            session.execute(insert(Member).values(email=f"ada@{driver}", visits=1).on_conflict_do_update(index_elements=["email"], set_={"visits": 2}))
            session.execute(insert(Member).values(email=f"ada@{driver}").on_conflict_do_nothing())
            session.execute(sa.insert(Member), [{"email": f"m{n}@{driver}"} for n in range(30)])
            session.scalars(sa.select(Member).options(selectinload(Member.posts)).order_by(Member.id).limit(10).offset(2)).all()
            session.execute(sa.select(sa.func.count()).select_from(Member).where(Member.tags.contains(["x"]))).all()
            session.execute(sa.select(Member).where(Member.id == ada.id).with_for_update(skip_locked=True)).all()
            session.execute(sa.update(Member).where(Member.id == ada.id).values(visits=Member.visits + 1).returning(Member.visits)).all()
            session.commit()
            session.delete(ada)
            session.commit()
        with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
            connection.execute(sa.text("SELECT :n"), {"n": 1})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("SELECT 1"))
        with engine.connect().execution_options(stream_results=True) as connection:
            connection.execute(sa.select(Member)).fetchmany(3)
        engine.dispose()

    async def over_asyncpg():
        engine = create_async_engine(at("asyncpg"), pool_pre_ping=True)
        async with AsyncSession(engine) as session:
            one = Member(email="one@asyncpg", posts=[Post(title="p")])
            session.add(one)
            session.add_all(Member(email=f"{n}@asyncpg") for n in range(30))
            await session.commit()
            (await session.scalars(sa.select(Member).options(selectinload(Member.posts)).limit(5))).all()
            await session.execute(sa.update(Member).where(Member.email == "one@asyncpg").values(mood="sad"))
            await session.commit()
        await engine.dispose()

    asyncio.run(over_asyncpg())


{"prepare": prepare, "again": again, "use": use}[step]()
