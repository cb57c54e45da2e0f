using System.Globalization;
using System.Text;
using Lifeboat.Engine.Sources.Postgres.Catalogue;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>Writes the SQL that creates a database as it was, and gives it what belongs to it as a whole.</summary>
public static class DatabaseSql
{
    // Settings whose value is a list of quoted names (GUC_LIST_QUOTE): each name is a literal of its own.
    private static readonly HashSet<string> ListSettings = new(StringComparer.OrdinalIgnoreCase)
    {
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces",
        "unix_socket_directories",
    };

    /// <summary>CREATE DATABASE, under any name; for the same or a later major version.</summary>
    /// <param name="serverMajor">The target's major version.</param>
    /// <param name="owner">Who shall own it; null leaves it to the user who creates it.</param>
    /// <param name="tablespace">Where it shall be; null for the target's default.</param>
    public static string Create(PostgresDatabase database, string name, int serverMajor, string? owner, string? tablespace)
    {
        StringBuilder sql = new(
            $"CREATE DATABASE {SqlText.Identifier(name)} WITH TEMPLATE = template0 ENCODING = {SqlText.Literal(database.Encoding)}");
        if (serverMajor >= 15)
            sql.Append(CultureInfo.InvariantCulture, $" LOCALE_PROVIDER = {database.LocaleProvider}");
        sql.Append(CultureInfo.InvariantCulture,
            $" LC_COLLATE = {SqlText.Literal(database.Collate)} LC_CTYPE = {SqlText.Literal(database.Ctype)}");
        if (database.Locale is not null && database.LocaleProvider != "libc")
            sql.Append(CultureInfo.InvariantCulture,
                $" {(database.LocaleProvider == "icu" ? "ICU_LOCALE" : "BUILTIN_LOCALE")} = {SqlText.Literal(database.Locale)}");
        if (database.IcuRules is not null)
            sql.Append(CultureInfo.InvariantCulture, $" ICU_RULES = {SqlText.Literal(database.IcuRules)}");
        if (owner is not null)
            sql.Append(CultureInfo.InvariantCulture, $" OWNER = {SqlText.Identifier(owner)}");
        if (tablespace is not null)
            sql.Append(CultureInfo.InvariantCulture, $" TABLESPACE = {SqlText.Identifier(tablespace)}");
        return sql.ToString();
    }

    /// <summary>Everything else about the database, a statement each: limit, rights, comment, labels, settings.</summary>
    public static IEnumerable<string> Properties(PostgresDatabase database, string name)
    {
        string quoted = SqlText.Identifier(name);
        if (database.ConnectionLimit >= 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"ALTER DATABASE {quoted} CONNECTION LIMIT {database.ConnectionLimit}");
        if (database.IsTemplate)
            yield return $"ALTER DATABASE {quoted} IS_TEMPLATE true";
        foreach (string sql in Grants(database.Owner, database.Acl, quoted).Concat(Descriptions(database, name)))
            yield return sql;
    }

    /// <summary>What lets nobody do anything, a statement each: comment, labels, settings.</summary>
    public static IEnumerable<string> Descriptions(PostgresDatabase database, string name)
    {
        string quoted = SqlText.Identifier(name);
        if (database.Comment is not null)
            yield return $"COMMENT ON DATABASE {quoted} IS {SqlText.Literal(database.Comment)}";
        foreach (PostgresSecurityLabel label in database.SecurityLabels)
            yield return $"SECURITY LABEL FOR {SqlText.Identifier(label.Provider)} ON DATABASE {quoted} IS {SqlText.Literal(label.Label)}";
        foreach (PostgresSetting setting in database.Settings)
            yield return Set(setting.Role is null ? $"ALTER DATABASE {quoted}" : $"ALTER ROLE {SqlText.Identifier(setting.Role)} IN DATABASE {quoted}", setting);
    }

    /// <param name="alter">What it is set for, as a statement's beginning.</param>
    public static string Set(string alter, PostgresSetting setting) => $"{alter} SET {SettingName(setting.Name)} TO {SettingValue(setting)}";

    /// <summary>The rights on a database; none for the built-in ones.</summary>
    /// <param name="quoted">The database's name for SQL.</param>
    public static IEnumerable<string> Grants(string owner, IReadOnlyList<PostgresGrant>? acl, string quoted)
    {
        if (acl is null)
            yield break;
        yield return $"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC";
        yield return $"REVOKE ALL ON DATABASE {quoted} FROM {SqlText.Identifier(owner)}";
        // The owner's own grants first: a role that passes a right on has it from there.
        foreach (PostgresGrant grant in acl.OrderBy(g => g.Grantor != owner))
        {
            string grantee = grant.Grantee is null ? "PUBLIC" : SqlText.Identifier(grant.Grantee);
            string statement = $"GRANT {grant.Privilege} ON DATABASE {quoted} TO {grantee}"
                + (grant.Grantable ? " WITH GRANT OPTION" : "");
            bool other = grant.Grantor != owner;
            yield return other
                ? $"SET SESSION AUTHORIZATION {SqlText.Identifier(grant.Grantor)}; {statement}; RESET SESSION AUTHORIZATION"
                : statement;
        }
    }

    private static string SettingName(string name) => string.Join('.', name.Split('.').Select(SqlText.Identifier));

    private static string SettingValue(PostgresSetting setting)
    {
        if (!ListSettings.Contains(setting.Name))
            return SqlText.Literal(setting.Value);
        List<string> items = [.. SplitNames(setting.Value).Select(SqlText.Literal)];
        return items.Count == 0 ? "''" : string.Join(", ", items);
    }

    /// <summary>Splits <c>"$user", public</c> into its names.</summary>
    private static IEnumerable<string> SplitNames(string list)
    {
        int i = 0;
        while (i < list.Length)
        {
            StringBuilder name = new();
            bool quoted = false;
            for (; i < list.Length && (quoted || list[i] != ','); i++)
            {
                if (list[i] != '"')
                    name.Append(list[i]);
                else if (quoted && i + 1 < list.Length && list[i + 1] == '"')
                    name.Append(list[i++]);
                else
                    quoted = !quoted;
            }

            i++;
            yield return name.ToString().Trim(' ');
        }
    }
}
