namespace Lifeboat.Samples;

/// <summary>A shop with its accounts; in MariaDB.</summary>
internal sealed class Shop(ChatServers servers, ChatSize size, int seed)
{
    private const string Tables = """
        CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
        USE shop;
        SET time_zone = '+00:00';
        CREATE TABLE customer (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(200) NOT NULL, email VARCHAR(200) UNIQUE, credit DECIMAL(12,2) NOT NULL DEFAULT 0, since DATE,
          place POINT NOT NULL, photo BLOB, SPATIAL KEY (place)) ENGINE=InnoDB;
        CREATE TABLE product (id INT AUTO_INCREMENT PRIMARY KEY, sku CHAR(12) CHARACTER SET ascii NOT NULL UNIQUE, name VARCHAR(200) NOT NULL, description MEDIUMTEXT, weight FLOAT, price DECIMAL(10,2) NOT NULL,
          attributes JSON, kind ENUM('thing','service','') NOT NULL, flags SET('new','sale','gift'), FULLTEXT KEY (name, description)) ENGINE=InnoDB;
        CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, placed TIMESTAMP(6) NOT NULL, paid BIT(1), note TEXT,
          KEY by_customer (customer, placed), CONSTRAINT fk_customer FOREIGN KEY (customer) REFERENCES customer (id)) ENGINE=InnoDB;
        CREATE TABLE order_line (orders BIGINT NOT NULL, line INT NOT NULL, product INT NOT NULL, quantity INT NOT NULL, price DECIMAL(10,2) NOT NULL, total DECIMAL(14,2) AS (quantity * price) STORED,
          PRIMARY KEY (orders, line), CONSTRAINT fk_order FOREIGN KEY (orders) REFERENCES orders (id) ON DELETE CASCADE,
          CONSTRAINT fk_product FOREIGN KEY (product) REFERENCES product (id), CONSTRAINT some CHECK (quantity > 0)) ENGINE=InnoDB;
        CREATE TABLE audit (id BIGINT AUTO_INCREMENT PRIMARY KEY, at DATETIME(6) NOT NULL, what VARCHAR(100)) ENGINE=InnoDB;
        SET foreign_key_checks = 0, unique_checks = 0;

        """;

    private const string Rest = """
        SET foreign_key_checks = 1, unique_checks = 1;
        CREATE SEQUENCE invoice_number START WITH 70001; DO NEXTVAL(invoice_number);
        DELIMITER //
        CREATE FUNCTION spent(who INT) RETURNS DECIMAL(16,2) READS SQL DATA
          RETURN (SELECT COALESCE(SUM(l.total), 0) FROM orders o JOIN order_line l ON l.orders = o.id WHERE o.customer = who) //
        CREATE PROCEDURE close_day() BEGIN INSERT INTO audit (at, what) VALUES (NOW(6), 'day closed'); END //
        CREATE TRIGGER order_placed AFTER INSERT ON orders FOR EACH ROW INSERT INTO audit (at, what) VALUES (NOW(6), CONCAT('order ', NEW.id)) //
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' DO CALL shop.close_day() //
        DELIMITER ;
        CREATE VIEW best AS SELECT c.id, c.name, spent(c.id) AS spent FROM customer c ORDER BY spent DESC LIMIT 10;
        CREATE ROLE shop_reports; GRANT SELECT ON shop.* TO shop_reports;

        """;

    public void Create() => servers.MySql(script =>
    {
        script.Write(Tables);
        script.Insert("customer", Customers());
        script.Insert("product", Products());
        script.Insert("orders", Orders());
        script.Insert("order_line (orders, line, product, quantity, price)", Lines());
        script.Write(Rest);
        script.Write($"""
            CREATE USER shop_app@'%' IDENTIFIED BY '{ChatApp.ShopPassword.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}' WITH MAX_USER_CONNECTIONS 20;
            GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON shop.* TO shop_app@'%';
            CREATE USER shop_report@'127.0.0.1' IDENTIFIED BY '{ChatApp.ShopReportPassword}'; GRANT shop_reports TO shop_report@'127.0.0.1'; SET DEFAULT ROLE shop_reports FOR shop_report@'127.0.0.1';
            GRANT UPDATE (note) ON shop.orders TO shop_report@'127.0.0.1'; GRANT EXECUTE ON PROCEDURE shop.close_day TO shop_report@'127.0.0.1';

            """);
    });

    private IEnumerable<object?[]> Customers()
    {
        SampleText chance = new(seed);
        for (int id = 1; id <= size.Customers; id++)
            yield return
            [
                id, chance.Words(15), id % 9 == 0 ? null : $"{chance.Word()}.{id}@example.org", chance.Below(1_000_000) / 100m, id % 5 == 0 ? null : chance.Moment().ToString("yyyy-MM-dd", null),
                Point(chance), id % 3 == 0 ? null : chance.Bytes(50 + chance.Below(500)),
            ];
    }

    /// <summary>A geometry as the server keeps it: SRID, byte order, type, coordinates.</summary>
    private static byte[] Point(SampleText chance) =>
        [0, 0, 0, 0, 1, 1, 0, 0, 0, .. BitConverter.GetBytes((chance.Fraction() * 360) - 180), .. BitConverter.GetBytes((chance.Fraction() * 180) - 90)];

    private IEnumerable<object?[]> Products()
    {
        SampleText chance = new(seed + 1);
        for (int id = 1; id <= size.Products; id++)
            yield return
            [
                id, $"SKU{id:000000000}", chance.Words(20), chance.Words(id % 10 == 0 ? 100_500 : 300), (float)(chance.Fraction() * 1e3), (1 + chance.Below(100_000)) / 100m,
                $"{{\"colour\": \"{chance.Word()}\", \"size\": {chance.Below(50)}}}", 1 + chance.Below(3), chance.Below(8),
            ];
    }

    private IEnumerable<object?[]> Orders()
    {
        SampleText chance = new(seed + 2);
        for (int id = 1; id <= size.Orders; id++)
            yield return [id, 1 + chance.Below(size.Customers), chance.Moment(), id % 4 == 0 ? null : id % 2, id % 3 == 0 ? null : chance.Words(60)];
    }

    private IEnumerable<object?[]> Lines()
    {
        SampleText chance = new(seed + 3);
        for (int id = 1; id <= size.Orders; id++)
        {
            for (int line = 1; line <= 1 + (id % 5); line++)
                yield return [id, line, 1 + chance.Below(size.Products), 1 + chance.Below(9), (1 + chance.Below(100_000)) / 100m];
        }
    }
}
