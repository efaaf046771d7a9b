/** A small shop: two hundred customers, two thousand orders, their items. The same every time. */
export const shop = `
CREATE TABLE customers (
  id         int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name       text NOT NULL,
  email      text NOT NULL UNIQUE,
  city       text NOT NULL
);
CREATE TABLE products (
  id         int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name       text NOT NULL,
  price      numeric(8, 2) NOT NULL CHECK (price > 0),
  stock      int NOT NULL CHECK (stock >= 0)
);
CREATE TABLE orders (
  id          int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  customer_id int NOT NULL REFERENCES customers,
  status      text NOT NULL CHECK (status IN ('open', 'paid', 'shipped', 'returned')),
  ordered_at  timestamptz NOT NULL
);
CREATE TABLE order_items (
  order_id    int NOT NULL REFERENCES orders ON DELETE CASCADE,
  product_id  int NOT NULL REFERENCES products,
  quantity    int NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, product_id)
);
CREATE INDEX ON orders (customer_id);

INSERT INTO customers (name, email, city)
SELECT first || ' ' || last, lower(first || '.' || last) || n || '@example.com',
       (ARRAY['Lisbon', 'Oslo', 'Kyoto', 'Nairobi', 'Lima'])[1 + n % 5]
FROM generate_series(1, 200) AS n,
     LATERAL (SELECT (ARRAY['Ada', 'Grace', 'Edgar', 'Barbara', 'Tony', 'Radia', 'Ken'])[1 + n % 7] AS first,
                     (ARRAY['Moreira', 'Hansen', 'Ito', 'Kamau', 'Quispe'])[1 + n % 5] AS last) AS person;

INSERT INTO products (name, price, stock)
SELECT kind || ' ' || colour, 5 + (row_number() OVER ()) * 3.35, 40 + (row_number() OVER ()) * 7
FROM unnest(ARRAY['Lamp', 'Kettle', 'Blanket', 'Notebook']) AS kind, unnest(ARRAY['red', 'green', 'blue']) AS colour;

INSERT INTO orders (customer_id, status, ordered_at)
SELECT 1 + n * 37 % 200, (ARRAY['shipped', 'paid', 'shipped', 'open', 'shipped', 'returned'])[1 + n % 6],
       timestamptz '2026-01-01' + n * interval '3 hours'
FROM generate_series(1, 2000) AS n;

INSERT INTO order_items
SELECT id, 1 + (id * 5 + extra * 3) % 12, 1 + (id + extra) % 4
FROM orders, generate_series(0, 1) AS extra;

ANALYZE`;
