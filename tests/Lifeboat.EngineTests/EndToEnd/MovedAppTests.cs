using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>A disaster: the app comes back in another folder of an empty machine.</summary>
public sealed class MovedAppTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Path;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Settings_beside_the_app_folder_come_back_beside_its_new_place()
    {
        LifeboatProgram.Shell(Root, "mkdir -p old/app/files old/data; echo 1 > old/app/files/x; echo S=1 > old/conf.ini; echo D > old/data/d; echo abs > absolute.ini");
        File.WriteAllText(Path.Combine(Root, "old/app/lifeboat.yaml"), $$"""
            app: moved
            sources:
              files: {type: files, path: files}
              data: {type: files, path: ../data}
              conf: {type: settings, files: [../conf.ini, {{Path.Combine(Root, "absolute.ini")}}]}
            stores:
              l: {path: "{{Path.Combine(Root, "store")}}"}
            encryption: none
            """);
        Assert.Equal(3, LifeboatProgram.Run(Path.Combine(Root, "old/app"), "backup", "-q").ExitStatus);
        LifeboatProgram.Shell(Root, "mkdir -p new/app; mv old/app/lifeboat.yaml new/app; rm -r old absolute.ini");
        ProgramRun restore = LifeboatProgram.Run(Path.Combine(Root, "new/app"), "restore", "latest", "--yes");
        Assert.True(restore.ExitStatus == 0, restore.All);
        Assert.Equal("S=1\nD\n1\nabs\n", LifeboatProgram.Shell(Root, "cat new/conf.ini new/data/d new/app/files/x absolute.ini"));
        Assert.False(Directory.Exists(Path.Combine(Root, "new/app/outside")));
        Assert.Equal(3, LifeboatProgram.Run(Path.Combine(Root, "new/app"), "backup").ExitStatus);
    }

    [Fact]
    public void Folders_that_a_restore_makes_have_the_owner_and_mode_that_they_had()
    {
        if (Environment.UserName != "root")
            Assert.Skip("only root gives folders away");
        LifeboatProgram.Shell(
            Root,
            """
            mkdir -p lib/odoo/filestore/shop lib/odoo/db lib/odoo/etc; echo 1 > lib/odoo/filestore/shop/x; echo K=1 > lib/odoo/etc/c
            sqlite3 lib/odoo/db/s.db "CREATE TABLE t (x)"
            chown -R 1234:1235 lib/odoo; chmod 0750 lib/odoo; chmod 0700 lib/odoo/filestore; chmod 0711 lib/odoo/db; chmod 0755 lib/odoo/etc
            """);
        File.WriteAllText(Path.Combine(Root, "lifeboat.yaml"), """
            app: parents
            sources:
              filestore: {type: files, path: lib/odoo/filestore/shop}
              state: {type: sqlite, path: lib/odoo/db/s.db}
              conf: {type: settings, files: [lib/odoo/etc/c]}
            stores: {l: {path: store}}
            encryption: none
            """);
        const string look = "find lib/odoo -type d -printf '%p %m %U:%G\\n' | LC_ALL=C sort";
        string before = LifeboatProgram.Shell(Root, look);
        Assert.Equal(3, LifeboatProgram.Run(Root, "backup", "-q").ExitStatus);
        LifeboatProgram.Shell(Root, "rm -r lib/odoo");
        ProgramRun restore = LifeboatProgram.Run(Root, "restore", "latest", "--yes", "-q");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        Assert.Equal(before, LifeboatProgram.Shell(Root, look));
        // Below a target, the folders that are missing are like those above the captured ones.
        Assert.True(LifeboatProgram.Run(Root, "restore", "latest", "--only", "filestore", "--target", "filestore=other/place/shop", "--yes", "-q").ExitStatus is 0 or 3);
        Assert.Equal("other 750 1234:1235\nother/place 700 1234:1235\n", LifeboatProgram.Shell(Root, "find other -maxdepth 1 -printf '%p %m %U:%G\\n'"));
    }
}
