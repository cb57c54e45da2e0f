namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Which package brings a well-known extension, as Debian and the PostgreSQL project's own repository name it.</summary>
internal static class ExtensionPackages
{
    private static readonly Dictionary<string, string> s_packages = new(StringComparer.Ordinal)
    {
        ["postgis"] = "postgresql-{0}-postgis-3", ["postgis_raster"] = "postgresql-{0}-postgis-3", ["postgis_topology"] = "postgresql-{0}-postgis-3",
        ["postgis_sfcgal"] = "postgresql-{0}-postgis-3", ["postgis_tiger_geocoder"] = "postgresql-{0}-postgis-3", ["address_standardizer"] = "postgresql-{0}-postgis-3",
        ["pgrouting"] = "postgresql-{0}-pgrouting", ["vector"] = "postgresql-{0}-pgvector", ["age"] = "postgresql-{0}-age",
        ["timescaledb"] = "postgresql-{0}-timescaledb", ["pg_cron"] = "postgresql-{0}-cron", ["pg_partman"] = "postgresql-{0}-partman",
        ["hll"] = "postgresql-{0}-hll", ["ip4r"] = "postgresql-{0}-ip4r", ["rum"] = "postgresql-{0}-rum", ["periods"] = "postgresql-{0}-periods",
        ["orafce"] = "postgresql-{0}-orafce", ["pgaudit"] = "postgresql-{0}-pgaudit", ["pgtap"] = "postgresql-{0}-pgtap", ["repack"] = "postgresql-{0}-repack",
        ["pg_repack"] = "postgresql-{0}-repack", ["hypopg"] = "postgresql-{0}-hypopg", ["pg_qualstats"] = "postgresql-{0}-pg-qualstats",
        ["plpython3u"] = "postgresql-plpython3-{0}", ["plperl"] = "postgresql-plperl-{0}", ["plperlu"] = "postgresql-plperl-{0}",
        ["pltcl"] = "postgresql-pltcl-{0}", ["pltclu"] = "postgresql-pltcl-{0}", ["plr"] = "postgresql-{0}-plr", ["prefix"] = "postgresql-{0}-prefix",
        ["semver"] = "postgresql-{0}-semver", ["unit"] = "postgresql-{0}-unit", ["mysql_fdw"] = "postgresql-{0}-mysql-fdw", ["tds_fdw"] = "postgresql-{0}-tds-fdw",
        ["jsquery"] = "postgresql-{0}-jsquery", ["q3c"] = "postgresql-{0}-q3c", ["similarity"] = "postgresql-{0}-similarity",
    };

    /// <summary>What to do to have an extension on the server.</summary>
    public static string Hint(string extension, int major) => s_packages.TryGetValue(extension, out string? package)
        ? $"install it on the server's machine: package {string.Format(System.Globalization.CultureInfo.InvariantCulture, package, major)} on Debian and Ubuntu"
        : "install it on the server's machine (the modules that come with PostgreSQL are in package postgresql-contrib where the system splits them off)";
}
