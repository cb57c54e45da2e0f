@echo off
rem Runs Lifeboat from this clone; builds it first when it is missing. After changing sources, delete artifacts\lifeboat.
setlocal
set "root=%~dp0"
if exist "%root%artifacts\lifeboat\lifeboat.exe" goto run
echo lifeboat: building, which takes about half a minute the first time 1>&2
dotnet publish "%root%src\Lifeboat" -c Release -r win-x64 --no-self-contained -p:PublishReadyToRun=true -o "%root%artifacts\lifeboat" -v quiet 1>&2
if errorlevel 1 exit /b 1
:run
"%root%artifacts\lifeboat\lifeboat.exe" %*
exit /b %errorlevel%
