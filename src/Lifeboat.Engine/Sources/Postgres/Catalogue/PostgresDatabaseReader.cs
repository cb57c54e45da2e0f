using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>Reads what <see cref="PostgresDetails"/> says of the database and the server's roles.</summary>
internal static class PostgresDatabaseReader
{
    public static async Task<PostgresDatabase> ReadAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(DatabaseSql, cancellation);
        string?[] row = rows[0];
        IReadOnlyList<string?[]> grants = await session.QueryAsync(GrantsSql, cancellation);
        return new PostgresDatabase
        {
            Name = row[0]!,
            Owner = row[1]!,
            Encoding = row[2]!,
            Collate = row[3]!,
            Ctype = row[4]!,
            LocaleProvider = row[5] switch { "i" => "icu", "b" => "builtin", _ => "libc" },
            Locale = row[6],
            IcuRules = row[7],
            CollationVersion = row[8],
            Tablespace = row[9]!,
            ConnectionLimit = int.Parse(row[10]!, CultureInfo.InvariantCulture),
            IsTemplate = row[11] == "t",
            Comment = row[12],
            Acl = row[13] == "t" ? null : [.. grants.Select(static g => new PostgresGrant(g[0]!, g[1], g[2]!, g[3] == "t"))],
            SecurityLabels = [.. (await session.QueryAsync(LabelsSql, cancellation))
                .Select(static l => new PostgresSecurityLabel(l[0]!, l[1]!))],
            Settings = [.. (await session.QueryAsync(SettingsSql, cancellation))
                .Select(static s => new PostgresSetting(s[0], s[1]!, s[2]!))],
        };
    }

    public static async Task<IReadOnlyList<PostgresRole>> ReadRolesAsync(PsqlSession session, CancellationToken cancellation) =>
    [
        .. (await session.QueryAsync(
            "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname COLLATE \"C\"", cancellation))
            .Select(static row => new PostgresRole(row[0]!, row[1] == "t", row[2] == "t")),
    ];

    /// <summary>Who gave the security labels of the database's objects, of itself, and of roles and tablespaces.</summary>
    public static async Task<IReadOnlyList<string>> ReadLabelProvidersAsync(PsqlSession session, CancellationToken cancellation) =>
        [.. (await session.QueryAsync(LabelProvidersSql, cancellation)).Select(static row => row[0]!)];

    public static async Task<IReadOnlyList<PostgresExtension>> ReadExtensionsAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> tables = await session.QueryAsync(ConfigurationSql, cancellation);
        return
        [
            .. (await session.QueryAsync(
                "SELECT e.oid, e.extname, e.extversion, n.nspname FROM pg_extension e "
                + "JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.oid", cancellation))
                .Select(row => new PostgresExtension(row[1]!, row[2]!, row[3]!,
                    [.. tables.Where(t => t[0] == row[0]).Select(static t => t[1]!)])),
        ];
    }

    // Columns that came with later versions are read through jsonb, where an absent one is null.
    private const string DatabaseSql =
        """
        SELECT d.datname, pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
            to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), to_jsonb(d) ->>
                'daticurules',
            to_jsonb(d) ->> 'datcollversion', t.spcname, d.datconnlimit, d.datistemplate, shobj_description(d.oid, 'pg_database'),
                d.datacl IS NULL
        FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()
        """;

    private const string GrantsSql =
        """
        SELECT pg_get_userbyid(a.grantor), CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
        FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = current_database()
        """;

    private const string LabelsSql =
        """
        SELECT l.provider, l.label FROM pg_shseclabel l JOIN pg_database d ON d.oid = l.objoid
        WHERE l.classoid = 'pg_database'::regclass AND d.datname = current_database() ORDER BY 1
        """;

    private const string LabelProvidersSql =
        """
        SELECT provider FROM pg_seclabel UNION SELECT provider FROM pg_shseclabel
        WHERE classoid <> 'pg_database'::regclass OR objoid = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY 1
        """;

    private const string SettingsSql =
        """
        SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, split_part(c.setting, '=', 1), substr(c.setting,
            strpos(c.setting, '=') + 1)
        FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) WITH ORDINALITY c(setting, place)
        WHERE d.datname = current_database() ORDER BY 1 NULLS FIRST, c.place
        """;

    private const string ConfigurationSql =
        """
        SELECT e.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY
            u(relation, place)
        JOIN pg_class c ON c.oid = u.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' ORDER BY e.oid, u.place
        """;
}
