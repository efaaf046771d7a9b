/** Sequelize: sync, findOrCreate (which makes a function of its own), upsert, scopes of transactions. */
async function withSequelize(url, load, act) {
  const { Sequelize, DataTypes } = load('sequelize');
  const sequelize = new Sequelize(url, { logging: false, pool: { max: 3 } });
  const Member = sequelize.define('Member', {
    email: { type: DataTypes.STRING, unique: true },
    mood: { type: DataTypes.ENUM('sad', 'happy'), defaultValue: 'happy' },
    detail: DataTypes.JSONB,
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    visits: { type: DataTypes.INTEGER, defaultValue: 0 },
  });
  const Post = sequelize.define(
    'Post',
    { title: DataTypes.TEXT },
    { paranoid: true, indexes: [{ fields: ['title'] }] },
  );
  Member.hasMany(Post);
  Post.belongsTo(Member);
  try {
    await sequelize.authenticate();
    await act({ sequelize, Member, Post, load });
  } finally {
    await sequelize.close();
  }
}

export const prepare = (url, load) => withSequelize(url, load, ({ sequelize }) => sequelize.sync());

export const again = (url, load) =>
  withSequelize(url, load, async ({ sequelize }) => {
    await sequelize.sync();
    const queries = sequelize.getQueryInterface();
    for (const table of await queries.showAllTables()) {
      await queries.describeTable(table);
      await queries.showIndex(table);
      await queries.getForeignKeyReferencesForTable(table);
    }
    await queries.tableExists('Members');
  });

export const use = (url, load) =>
  withSequelize(url, load, async ({ sequelize, Member, Post, load }) => {
    const { Op, Transaction } = load('sequelize');
    const ada = await Member.create({ email: 'ada@example.com', detail: { a: [1] }, tags: ['x'] });
    await Member.bulkCreate([{ email: 'b@example.com' }, { email: 'c@example.com' }], { updateOnDuplicate: ['mood'] });
    await Member.findOrCreate({ where: { email: 'd@example.com' } });
    await Member.findOrCreate({ where: { email: 'd@example.com' }, defaults: { mood: 'sad', tags: ["it's"] } });
    await Member.findCreateFind({ where: { email: 'e@example.com' } });
    await Member.upsert({ email: 'ada@example.com', mood: 'sad' });
    await sequelize.transaction(async (transaction) => {
      await Post.create({ title: 'one', MemberId: ada.id }, { transaction });
      await Member.findOrCreate({ where: { email: 'f@example.com' }, transaction });
      await Member.findByPk(ada.id, { transaction, lock: transaction.LOCK.UPDATE });
    });
    await sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE }, (transaction) =>
      Post.create({ title: 'two', MemberId: ada.id }, { transaction }),
    );
    await Member.findAndCountAll({ include: Post, limit: 10, offset: 0, order: [['id', 'DESC']] });
    await Member.findAll({
      where: { [Op.or]: [{ email: { [Op.like]: 'a%' } }, { detail: { a: 1 } }], tags: { [Op.contains]: ['x'] } },
    });
    await Member.count({ distinct: true, include: Post });
    await ada.increment('visits');
    await ada.update({ mood: 'happy' });
    await Member.update({ mood: 'sad' }, { where: { id: ada.id }, returning: true });
    await Post.destroy({ where: { id: 1 } });
    await Post.restore({ where: { id: 1 } });
    await Post.destroy({ where: { id: 1 }, force: true });
    await ada.destroy();
    await sequelize.query('SELECT :a::int', { replacements: { a: 1 } });
  });
