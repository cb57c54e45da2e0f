namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Where on a machine, outside of the app's folder, something of the app may be.</summary>
public sealed record DetectionPlaces
{
    public IReadOnlyList<string> OdooFiles { get; init; } = ["/etc/odoo/odoo.conf", "/etc/odoo.conf", "/etc/odoo/openerp-server.conf"];

    /// <summary>Folders that Odoo keeps its data in where its settings do not say.</summary>
    public IReadOnlyList<string> OdooData { get; init; } = ["/var/lib/odoo", "/var/lib/odoo/.local/share/Odoo"];

    /// <summary>Folders with PostgreSQL's sockets.</summary>
    public IReadOnlyList<string> PostgresSockets { get; init; } = ["/var/run/postgresql", "/tmp"];

    /// <summary>MySQL's and MariaDB's sockets, as distributions set them.</summary>
    public IReadOnlyList<string> MySqlSockets { get; init; } = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];
}
