using System.Text;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// Names of roles, databases and tablespaces, which all databases of a server share: text here. With a SQL_ASCII database, details and sessions have a
/// character for each byte instead.
/// </summary>
internal static class NameText
{
    /// <summary>A name of the details as text.</summary>
    public static string Decode(string name, PostgresDetails details) =>
        details.ServerEncoding == "SQL_ASCII" ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(name)) : name;

    /// <summary>SQL with names in it, as a session of the given encoding takes it.</summary>
    public static string ForSession(string sql, PsqlSession session) =>
        session.TextEncoding.Equals(Encoding.Latin1) ? Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(sql)) : sql;
}
