# ActiveRecord: migrations, the schema's dump, and what models send. Usage: active_record.rb STEP URL
require 'logger'
require 'active_record'
require 'tmpdir'
require 'stringio'

step, url = ARGV
ActiveRecord::Base.establish_connection(url)
ActiveRecord::Migration.verbose = false

MIGRATION = <<~RUBY
  class CreateMembers < ActiveRecord::Migration[#{ActiveRecord::Migration.current_version}]
    def change
      enable_extension 'plpgsql'
      create_enum :mood, %w[sad happy] if respond_to?(:create_enum)
      create_table :members, if_not_exists: true do |t|
        t.string :email, index: { unique: true }
        t.string :mood, default: 'happy'
        t.jsonb :detail, default: {}
        t.string :tags, array: true, default: []
        t.integer :visits, default: 0
        t.integer :lock_version, default: 0
        t.timestamps default: -> { 'CURRENT_TIMESTAMP' }
      end
      create_table :posts do |t|
        t.references :member, foreign_key: true
        t.text :title
      end
    end
  end
RUBY

class Member < ActiveRecord::Base
  has_many :posts, dependent: :destroy
  validates :email, uniqueness: true
end
class Post < ActiveRecord::Base
  belongs_to :member, touch: true
end

def migrate
  Dir.mktmpdir do |folder|
    File.write("#{folder}/20240101000000_create_members.rb", MIGRATION)
    context = ActiveRecord::MigrationContext.new(folder, *(ActiveRecord::SchemaMigration if ActiveRecord.version < Gem::Version.new('7.1')))
    context.migrate
    context.needs_migration?
    context.migrations_status
  end
end

case step
when 'prepare' then migrate
when 'again'
  migrate
  connection = ActiveRecord::Base.connection
  connection.enable_extension('plpgsql')
  connection.create_enum(:mood, %w[sad happy]) if connection.respond_to?(:create_enum)
  connection.create_table(:members, if_not_exists: true) { |t| t.string :email }
  connection.add_column(:members, :visits, :integer, if_not_exists: true)
  connection.add_index(:members, :email, unique: true, if_not_exists: true)
  connection.remove_column(:members, :never_there, if_exists: true)
  connection.drop_table(:never_there, if_exists: true)
  connection.drop_enum(:never_there, if_exists: true) if connection.respond_to?(:drop_enum)
  ActiveRecord::SchemaDumper.dump(ActiveRecord.version < Gem::Version.new('7.2') ? connection : ActiveRecord::Base.connection_pool, StringIO.new)
when 'use'
  ada = Member.create!(email: 'ada@example.com', detail: { a: 1 }, tags: ['x'])
  Member.find_or_create_by!(email: 'b@example.com')
  Member.create_or_find_by!(email: 'b2@example.com')
  now = Time.now
  Member.upsert({ email: 'b@example.com', visits: 1 }, unique_by: :email)
  Member.insert_all((1..30).map { |n| { email: "#{n}@example.com" } })
  Member.upsert_all([{ email: '1@example.com' }, { email: '2@example.com' }], unique_by: :email)
  Member.transaction do
    ada.posts.create!(title: 'one')
    Member.transaction(requires_new: true) do
      ada.posts.create!(title: 'two')
      raise ActiveRecord::Rollback
    end
    ada.lock!
    ada.update!(mood: 'sad')
  end
  ada.with_lock { ada.increment!(:visits) }
  Member.includes(:posts).order(id: :desc).limit(10).offset(1).to_a
  Member.joins(:posts).where(posts: { title: %w[one two] }).distinct.count
  Member.where("detail @> ?", '{"a":1}').pluck(:id, :email)
  Member.find_each(batch_size: 10) { |one| one.email }
  Member.in_batches(of: 10).each(&:load)
  Member.group(:mood).count
  Member.exists?(email: 'ada@example.com')
  Member.where(id: ada.id).update_all(visits: 3)
  Member.where(id: ada.id).explain.inspect
  ada.reload.touch
  Member.update_counters(ada.id, visits: 1)
  Post.where(member_id: ada.id).delete_all
  ada.reload.destroy!
  ActiveRecord::Base.connection.execute('SELECT 1')
  ActiveRecord::Base.connection.get_advisory_lock(42)
  ActiveRecord::Base.connection.release_advisory_lock(42)
  ActiveRecord::Base.connection.tables.each { |table| ActiveRecord::Base.connection.columns(table) }
end
ActiveRecord::Base.connection_pool.disconnect!
